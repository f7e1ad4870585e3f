"""Registration decides which workers are put forward as participants (form, place, duplicates) and answers every
submission.
"""
