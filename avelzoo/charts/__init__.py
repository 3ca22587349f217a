"""Charts as SVG text: light and dark, titled and described, without scripts or fonts from elsewhere."""
