"""The Slack edge: events and commands in, answers out. `app.build` makes one workspace's edge."""
