"""What every booking system shares: its words for attendance, its dates, and whom it means."""
