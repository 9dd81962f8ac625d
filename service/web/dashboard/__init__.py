"""The rooms of the employees: incidents, inbox, monitors, subscribers, maintenance, sessions and audit."""
