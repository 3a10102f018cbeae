"""The engine's graphs on the CPU against PyTorch eager with the same networks: `make bench`."""
