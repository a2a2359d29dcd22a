install(TARGETS callvault EXPORT callvaultTargets)
