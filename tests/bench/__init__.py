"""The benchmark: `make bench` asks our program and a stock LlamaIndex program the same, in turn."""
