"""What the pages show, to whom, and what a request may change."""
