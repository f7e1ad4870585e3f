"""Billing decides whose premium is paid for which month, by which funder, within which ceiling, and on which
invoice.
"""
