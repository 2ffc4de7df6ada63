"""Checks of organizations' accounts with providers: asked for by the gateway, answered to it."""
