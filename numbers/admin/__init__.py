"""The operator's console, this floor: one module per subject."""

from numbers.admin import letter, number, order, porting, postal

__all__ = ["letter", "number", "order", "porting", "postal"]
