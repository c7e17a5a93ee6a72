"""A Django project that places orders, with hookrt inside."""
