"""REST profiles: paging, secrets, one origin, what records mean; and Eventbrite by its docs."""
