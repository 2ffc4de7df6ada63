"""What the deliveries app does: applying events, ending notifications, reconciling."""
