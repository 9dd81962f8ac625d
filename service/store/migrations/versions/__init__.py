"""One file per change of the schema, each built on the one before."""
