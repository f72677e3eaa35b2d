"""Groups of alerts and what integrations were told about them, stored."""
