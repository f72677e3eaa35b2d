"""HTTP: the JSON API, its OpenAPI document, the live stream, health and metrics. Derived from the operations."""
