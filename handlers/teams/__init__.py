"""The Microsoft Teams edge: activities in, Adaptive Cards out. Needs the extra `backend-director[teams]`."""
