"""Pages for the people who receive messages: their languages, their looks, their safety."""
