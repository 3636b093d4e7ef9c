"""The partnership's counts: numbers, never names."""
