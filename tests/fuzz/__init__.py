"""Programs that hunt for inputs which break the reading of mails; not part of `make test`."""
