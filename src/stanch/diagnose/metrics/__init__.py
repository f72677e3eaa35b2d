"""Root cause on metrics: onset, deviation, ranking, anomaly scores. Pure numbers; nothing here fetches or stores."""
