"""The demo project: a pretend product, Northwind Maps, that offers its customers a portal. Not part of the wheel."""
