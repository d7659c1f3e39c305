"""The operator's console, this floor: one module per subject."""

from numbers.admin import letter, number, order, postal

__all__ = ["letter", "number", "order", "postal"]
