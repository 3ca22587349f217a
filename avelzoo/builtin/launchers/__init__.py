"""Launchers: jobs in this process, or in several processes on this machine."""
