"""The statements of the write path, many alerts at a time, straight to the driver of each database."""
