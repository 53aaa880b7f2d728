"""Data that ships with SAM2Flow: weights of the `tiny` preset and the sample recording."""
