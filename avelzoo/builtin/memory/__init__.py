"""Memory strategies: content kept between training steps, and its re-encoding."""
