"""The engine: fires timers and hands deliveries over. One module per duty; nothing that must happen lives in memory."""
