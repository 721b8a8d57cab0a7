"""Causal reading."""
