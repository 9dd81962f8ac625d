"""What anybody may see: the status page and its feeds, calendar, badge, widget, machine answers and sign-up."""
