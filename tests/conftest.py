"""Four CPU devices, whatever the machine; must run before jax is imported."""

import os

os.environ['XLA_FLAGS'] = (
  os.environ.get('XLA_FLAGS', '') + ' --xla_force_host_platform_device_count=4'
)
os.environ['JAX_PLATFORMS'] = 'cpu'
