"""Mail in and out, tested on what real clients and servers send."""
