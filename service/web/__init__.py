"""HTTP in, HTML or JSON out. It reads the store and calls actions; it never decides and never writes by itself."""
