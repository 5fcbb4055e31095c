"""What a patch autoencoder is good for beside denoising: features, search, anomalies, variants."""
