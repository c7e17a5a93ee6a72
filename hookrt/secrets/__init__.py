"""What must not leak: where secrets come from, and how they are masked in everything that is shown or kept."""
