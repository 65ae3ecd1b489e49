"""The sample company of the demo: invented services, people and events."""
