"""What detection is measured against: an attack simulator, confined to a folder that was marked for it, and benign work.

An attack is a plan first (plan.py: what happens to which file, in which order and when), and a back end carries it out:
a local folder (local.py) or a Samba share by smbclient (samba.py). Keys come from the seed, so nothing that it does but the
wipers is beyond undoing, and the same seed does the same again. It is a program too: `/usr/bin/python3 tests/attack --help`.
"""
