"""What AIRPI's network learns from, the network, and its training. torch is imported when asked for."""
