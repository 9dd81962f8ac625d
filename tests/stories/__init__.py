"""One file per story, through the real app with a movable clock."""
