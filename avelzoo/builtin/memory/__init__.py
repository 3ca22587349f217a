"""Memory strategies: what is kept between steps, and how it is encoded again."""
