"""One file per monitoring product: raw body → alerts, or a named complaint. Never stores or decides."""
