"""The controller of OpenShift's DeploymentConfigs, which also does what a deployer's Pod does there."""
