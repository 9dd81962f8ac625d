"""`python -m service` is the same as `replycast`."""

from service.cli import main

main()
