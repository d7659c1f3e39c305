"""The operator's console, this floor: one module per subject."""

from numbers.admin import number, order, postal

__all__ = ["number", "order", "postal"]
