"""Billing decides whose premium is paid for which month, by whom, within which ceiling, and on which invoice."""
