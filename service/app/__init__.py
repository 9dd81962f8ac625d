"""The composition root: builds everything once from config, starts and stops it. The only reader of the clock."""
