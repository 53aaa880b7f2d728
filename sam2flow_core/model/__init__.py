"""The network. It knows tensors only: no files, no videos, no screen."""
