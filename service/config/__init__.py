"""config.yaml → frozen `Config`, or every fault at once with line and column."""
