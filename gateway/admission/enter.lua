return (enter())
