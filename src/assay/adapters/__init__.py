"""Adapters: one module for each foreign library, named after it, and the only one that imports it. Nothing else of Assay imports them."""
