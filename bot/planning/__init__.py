"""From an initiative to a project plan: its schema, its rules, and how it is drafted, kept and shown."""
