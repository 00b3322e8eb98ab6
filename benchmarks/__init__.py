"""Measurements that anyone can repeat; every number of the README that is about speed comes from here."""
