"""Components, designs and plans (floor 2). Pure: nothing here runs anything."""
