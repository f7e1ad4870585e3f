"""Workers who turned out to be one person, for every service that keeps links between them (collection `links`).

The rooms have the names that a service's rooms have: links.py holds the state, merges.py decides on registration's
events, documents.py its form in the store, facts.py reads it in bulk.
"""
