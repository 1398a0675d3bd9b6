"""The self-service pages: `pages` routes, `views` what they show, templates and style beside."""
